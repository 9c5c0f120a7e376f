/*
 * verdict.c - the words for verdicts and exit codes; see verdict.h and design.md 4.
 */
#include "model/verdict.h"

const char *verdict_name(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_NONE:
		return "none";
	case VERDICT_MET:
		return "met";
	case VERDICT_MISSED:
		return "missed";
	case VERDICT_INCONCLUSIVE:
		return "inconclusive";
	}
	return "none";
}

const char *slower_word(enum slower answer)
{
	switch (answer) {
	case SLOWER_NO:
		return "not slower";
	case SLOWER_YES:
		return "slower";
	case SLOWER_UNKNOWN:
		break;
	}
	return "cannot tell";
}

const char *run_exit_meaning(enum run_exit code)
{
	switch (code) {
	case EXIT_MET:
		return "every objective met, everything healed and read back";
	case EXIT_MISSED:
		return "an objective was missed";
	case EXIT_NOT_RUN:
		return "not run: the command, experiment or inventory is wrong";
	case EXIT_INCONCLUSIVE:
		return "inconclusive";
	case EXIT_LEFTOVER:
		return "something is left unhealed";
	case EXIT_NOT_STARTED:
		return "not started; nothing was harmed";
	case EXIT_STOPPED:
		return "stopped by a stop condition, an operator or a signal; healed";
	case EXIT_INTERNAL:
		return "internal or storage error";
	}
	return "internal or storage error";
}

enum verdict run_exit_verdict(enum run_exit code)
{
	switch (code) {
	case EXIT_MET:
		return VERDICT_MET;
	case EXIT_MISSED:
		return VERDICT_MISSED;
	case EXIT_INCONCLUSIVE:
		return VERDICT_INCONCLUSIVE;
	case EXIT_NOT_RUN:
	case EXIT_LEFTOVER:
	case EXIT_NOT_STARTED:
	case EXIT_STOPPED:
	case EXIT_INTERNAL:
		break;
	}
	return VERDICT_NONE;
}
