/*
 * suite_ci.c - see suite_ci.h.
 *
 * GitHub takes commands from whatever a step prints: "::error::" at the beginning of a line, and
 * "##[error]" anywhere. So commands are switched off from the first byte to the last, with a token that
 * nobody can guess, but for the moments in which we give one ourselves. GitLab reads its log for
 * sections only.
 */
#include "cli/suite_ci.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/random.h"
#include "reports/escape.h"
#include "reports/suite.h"

enum ci_kind { CI_NONE = 0, CI_GITHUB, CI_GITLAB };

struct suite_ci {
	enum ci_kind kind;
	FILE *stream;
	char token[48];
};

static bool is_set(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && strcmp(value, "true") == 0;
}

static bool find_kind(const char *word, enum ci_kind *ret_kind, struct err *e)
{
	if (word == NULL || strcmp(word, "auto") == 0)
		*ret_kind = is_set("GITHUB_ACTIONS") ? CI_GITHUB :
			    is_set("GITLAB_CI")	    ? CI_GITLAB :
						      CI_NONE;
	else if (strcmp(word, "github") == 0)
		*ret_kind = CI_GITHUB;
	else if (strcmp(word, "gitlab") == 0)
		*ret_kind = CI_GITLAB;
	else if (strcmp(word, "none") == 0)
		*ret_kind = CI_NONE;
	else
		return err_set(e, ERR_INPUT, "`--annotations %s` is not known; there are auto, github, "
			       "gitlab and none", word);
	return true;
}

static void commands_off(const struct suite_ci *ci)
{
	(void)fprintf(ci->stream, "::stop-commands::%s\n", ci->token);
}

static void commands_on(const struct suite_ci *ci)
{
	(void)fprintf(ci->stream, "::%s::\n", ci->token);
}

bool suite_ci_open(const char *word, FILE *stream, struct suite_ci **ret_ci, struct err *e)
{
	struct suite_ci *ci;
	enum ci_kind kind;

	if (!find_kind(word, &kind, e))
		return false;
	ci = mem_alloc(sizeof *ci);
	ci->kind = kind;
	ci->stream = stream;
	(void)snprintf(ci->token, sizeof ci->token, "firedrill-%08" PRIx64 "%08" PRIx64 "%08" PRIx64,
		       random_fresh_seed(), random_fresh_seed(), random_fresh_seed());
	if (kind == CI_GITHUB)
		commands_off(ci);
	*ret_ci = ci;
	return true;
}

static int64_t wall_seconds(void)
{
	const struct clock clock = clock_system();

	return clock_wall_ns(&clock) / NS_PER_S;
}

void suite_ci_group_begin(struct suite_ci *ci, size_t index, const char *title)
{
	struct text line = { 0 };

	switch (ci->kind) {
	case CI_NONE:
		text_add(&line, "==== ");
		escape_terminal(&line, title);
		break;
	case CI_GITHUB:
		commands_on(ci);
		text_add(&line, "::group::");
		escape_command(&line, title, false);
		break;
	case CI_GITLAB:
		text_addf(&line, "\033[0Ksection_start:%" PRId64
				 ":firedrill_%zu[collapsed=true]\r\033[0K",
			  wall_seconds(), index + 1);
		escape_terminal(&line, title);
		break;
	}
	(void)fprintf(ci->stream, "%s\n", text_str(&line));
	if (ci->kind == CI_GITHUB)
		commands_off(ci);
	text_release(&line);
}

void suite_ci_group_end(struct suite_ci *ci, size_t index)
{
	if (ci->kind == CI_GITHUB) {
		commands_on(ci);
		(void)fputs("::endgroup::\n", ci->stream);
		commands_off(ci);
	} else if (ci->kind == CI_GITLAB) {
		(void)fprintf(ci->stream, "\033[0Ksection_end:%" PRId64 ":firedrill_%zu\r\033[0K\n",
			      wall_seconds(), index + 1);
	}
	(void)fflush(ci->stream);
}

/* Behind what other commands of the same step have written there. */
static bool append(const char *path, const struct text *bytes, struct err *e)
{
	const int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	const ssize_t written = fd == -1 ? -1 : write(fd, text_str(bytes), bytes->length_bytes);
	const int why = errno;

	if (fd != -1)
		(void)close(fd); /* what could not be written shows below */
	return written == (ssize_t)bytes->length_bytes ||
	       err_set(e, ERR_LIMIT, "write the job's summary %s: %s", path,
		       written == -1 ? strerror(why) : "only a part of it was taken");
}

bool suite_ci_tell(struct suite_ci *ci, const struct suite *suite, struct err *e)
{
	const struct report_style style = { .columns = 0 };
	const char *summary = getenv("GITHUB_STEP_SUMMARY");
	struct text bytes = { 0 };
	bool ok = true;

	if (ci->kind != CI_GITHUB)
		return true;
	suite_report_write(suite_report_find("github"), suite, &style, &bytes);
	commands_on(ci);
	(void)fwrite(text_str(&bytes), 1, bytes.length_bytes, ci->stream);
	commands_off(ci);
	if (summary != NULL && *summary != '\0') {
		text_clear(&bytes);
		suite_report_write(suite_report_find("markdown"), suite, &style, &bytes);
		ok = append(summary, &bytes, e);
	}
	text_release(&bytes);
	return ok;
}

void suite_ci_close(struct suite_ci *ci)
{
	if (ci == NULL)
		return;
	if (ci->kind == CI_GITHUB)
		commands_on(ci); /* what comes after us in this step has its own */
	(void)fflush(ci->stream);
	free(ci);
}
