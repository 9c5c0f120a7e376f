/*
 * log_event.c - event probe "log.event": when did a host log a line that matches?
 *
 * The log is looked at again and again over one SSH session, each time from where the last look ended:
 * a file by its bytes, the journal by its cursor. That is `tail -F` with both ends known: a stream could
 * only say that a line was there by now, two looks also say that it was not there before. Besides, a line
 * may carry a time of its own: journald's stamp, or the date and zone a file's line begins with.
 *
 * What is known is when the line was written. A program that holds its lines back writes them late.
 * Lines in a file that was rotated away between two looks are not seen.
 */
#include "probes/probe.h"
#include "probes/stable.h"
#include "probes/stamp.h"
#include "remote/remote.h"

#include <assert.h>
#include <inttypes.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

enum {
	LOOK_BYTES = 512 << 10, /* of one look; the rest comes with the next */
	LINE_BYTES = 4096,      /* of a line that are compared */
};

struct log_event {
	const struct host *host;
	const char *file; /* or unit, or neither: the whole journal */
	const char *unit;
	const char *says;
	regex_t matches;
	struct remote *owned_remote; /* NULL: no session */
	struct text position;	     /* cursor of the journal; "INODE OFFSET" of a file; "": none */
	struct text rest;	     /* of a file: the line that had no end yet */
	int64_t looked_ns;	     /* when the last look that saw the end of the log began; 0: none */
};

static const struct param log_event_params[] = {
	{ "matches", PARAM_TEXT, .is_required = true,
	  .help = "POSIX extended regular expression; a line that contains it is an event" },
	{ "says", PARAM_TEXT, .help = "what such a line means, in reports; else what matches says" },
	{ "unit", PARAM_TEXT, .help = "a systemd unit whose journal to follow: patroni" },
	{ "file", PARAM_PATH, .help = "a log file to follow, instead of the journal" },
	{ 0 },
};

static bool log_event_check(const struct probe_spec *spec, struct err *e)
{
	regex_t matches;
	char why[STABLE_TEXT_BYTES];
	const int failure = regcomp(&matches, params_text(&spec->params, "matches"),
				    REG_EXTENDED | REG_NOSUB);

	if (params_text(&spec->params, "matches")[0] == '\0') {
		if (failure == 0)
			regfree(&matches);
		return err_set(e, ERR_INPUT, "log.event would take every line for an event; write what "
			       "it `matches`");
	}
	if (failure != 0) {
		(void)regerror(failure, &matches, why, sizeof why);
		return err_set(e, ERR_INPUT, "`matches` is no POSIX extended regular expression: %s",
			       why);
	}
	regfree(&matches);
	if (params_is_set(&spec->params, "unit") && params_text(&spec->params, "unit")[0] == '\0')
		return err_set(e, ERR_INPUT, "`unit` of log.event is empty; name a systemd unit, or take "
			       "it out to follow the whole journal");
	if (params_is_set(&spec->params, "unit") && params_is_set(&spec->params, "file"))
		return err_set(e, ERR_INPUT, "log.event follows one log: write `unit` or `file`, not "
			       "both");
	return true;
}

static bool log_event_watch(const struct probe_spec *spec, const struct host *place,
			    void **ret_state, struct err *e)
{
	struct log_event *probe = mem_alloc(sizeof *probe);

	if (regcomp(&probe->matches, params_text(&spec->params, "matches"),
		    REG_EXTENDED | REG_NOSUB) != 0) {
		free(probe);
		return err_set(e, ERR_INPUT, "`matches` cannot be read");
	}
	probe->host = place;
	probe->file = params_text(&spec->params, "file");
	probe->unit = params_text(&spec->params, "unit");
	probe->says = params_text(&spec->params, "says");
	if (probe->says == NULL)
		probe->says = params_text(&spec->params, "matches");
	*ret_state = probe;
	return true;
}

/* ---- what a line says ---- */

static void tell(struct log_event *probe, const char *line, struct sighting *sighting,
		 const struct sighting_sink *sink)
{
	char shown[LINE_BYTES];

	/* A line without end may not make the comparison one. */
	(void)snprintf(shown, sizeof shown, "%s", line);
	if (regexec(&probe->matches, shown, 0, NULL, 0) != 0)
		return;
	sighting->host = probe->host;
	(void)snprintf(sighting->what, sizeof sighting->what, "%s: %.100s", probe->host->name,
		       probe->says);
	sink->seen(sink->ctx, sighting);
}

static void take_file_line(struct log_event *probe, const char *line, struct sighting sighting,
			   const struct sighting_sink *sink)
{
	int64_t wall_ns;
	int64_t grain_ns;

	/* Some cut the last digit and some round it. */
	if (stamp_read(line, &wall_ns, &grain_ns, NULL)) {
		sighting.own_low_ns = wall_ns - grain_ns;
		sighting.own_high_ns = wall_ns + grain_ns;
	}
	tell(probe, line, &sighting, sink);
}

/* One entry of the journal as JSON; its cursor is where the next look begins. */
static void take_entry(struct log_event *probe, const char *line, struct sighting sighting,
		       const struct sighting_sink *sink)
{
	struct json *root = NULL;
	const char *cursor = NULL;

	if (!json_parse(line, strlen(line), &root, NULL))
		return; /* cut off, or no entry: the next look begins before it */
	cursor = json_text_of(json_get(root, "__CURSOR"));
	if (cursor != NULL) {
		const char *message = json_text_of(json_get(root, "MESSAGE"));
		const char *stamp = json_text_of(json_get(root, "__REALTIME_TIMESTAMP"));
		const int64_t stamp_us = stamp == NULL ? 0 : (int64_t)strtoll(stamp, NULL, 10);

		text_clear(&probe->position);
		text_add(&probe->position, cursor);
		if (stamp_us > 0) {
			sighting.own_low_ns = stamp_us * NS_PER_US;
			sighting.own_high_ns = (stamp_us + 1) * NS_PER_US;
		}
		if (message != NULL && sighting.until_ns != 0)
			tell(probe, message, &sighting, sink);
	}
	json_release(root);
}

/* ---- looks ---- */

static bool run(struct log_event *probe, const char *const *argv, const struct attempt *attempt,
		struct reply *reply, struct err *e)
{
	const struct remote_opener opener = remote_opener_real();
	char said[STABLE_TEXT_BYTES];
	int64_t left_ns = attempt->deadline_ns - clock_now_ns(attempt->clock);

	if (probe->owned_remote == NULL &&
	    !opener.open(opener.ctx, probe->host, attempt->clock, left_ns, &probe->owned_remote, e))
		return false;
	left_ns = attempt->deadline_ns - clock_now_ns(attempt->clock);
	if (left_ns <= 0)
		return err_set(e, ERR_DEADLINE, "the session was opened too late for a look");

	const struct command command = { .argv = argv, .timeout_ns = left_ns };

	if (remote_exec(probe->owned_remote, &command, reply, e)) {
		if (reply->exit_status == 0)
			return true;
		return err_set(e, ERR_REMOTE, "look at the log of %s: status %d: %s",
			       probe->host->name, reply->exit_status,
			       stable_text(text_str(&reply->err), said));
	}
	remote_close(probe->owned_remote);
	probe->owned_remote = NULL;
	return false;
}

/* Calls take for each whole line of text; returns what is left behind the last one. */
static const char *each_line(struct log_event *probe, char *text, const struct sighting *sighting,
			     const struct sighting_sink *sink,
			     void (*take)(struct log_event *, const char *, struct sighting,
					  const struct sighting_sink *))
{
	char *end;

	for (; (end = strchr(text, '\n')) != NULL; text = end + 1) {
		*end = '\0';
		take(probe, text, *sighting, sink);
	}
	return text;
}

/* "$1" is the file, "$2 $3" inode and offset of the last look. The first line says where this look
   ends: inode, offset, and 1 when that is the end of the file. */
static const char file_script[] =
	"set -- \"$1\" \"$2\" \"$3\" $(stat -Lc '%i %s' -- \"$1\") && [ -n \"$5\" ] || exit 1\n"
	"from=$3\n"
	"[ \"$2\" = \"$4\" ] && [ \"$3\" -le \"$5\" ] || from=0\n"
	"[ \"$2\" != none ] || from=$5\n"
	"till=$5; last=1\n"
	"[ $((till - from)) -le 524288 ] || { till=$((from + 524288)); last=0; }\n"
	"echo \"$4 $till $last\"\n"
	"[ $till = $from ] || tail -c +$((from + 1)) -- \"$1\" | head -c $((till - from))\n";

/* What a look at the file printed: the head line, and then bytes of the file. */
static void take_file(struct log_event *probe, const struct text *out,
		      const struct sighting *sighting, const struct sighting_sink *sink)
{
	const size_t head_bytes = strcspn(text_str(out), "\n") + 1;
	struct text lines = { 0 };

	text_add(&lines, text_str(&probe->rest));
	if (out->length_bytes > head_bytes)
		text_add_bytes(&lines, text_str(out) + head_bytes, out->length_bytes - head_bytes);
	text_clear(&probe->rest);
	for (size_t i = 0; i < lines.length_bytes; i++)
		if (lines.owned_bytes[i] == '\0')
			lines.owned_bytes[i] = '?'; /* a log may hold anything */
	if (lines.length_bytes > 0) {
		const char *rest = each_line(probe, lines.owned_bytes, sighting, sink,
					     take_file_line);

		if (strlen(rest) < LOOK_BYTES)
			text_add(&probe->rest, rest);
	}
	text_release(&lines);
}

static bool look_at_file(struct log_event *probe, const struct attempt *attempt,
			 struct sighting *sighting, const struct sighting_sink *sink,
			 bool *ret_is_end, struct err *e)
{
	char inode[32] = "none";
	char offset[32] = "0";
	const char *argv[] = { "sh", "-c", file_script, "sh", probe->file, inode, offset, NULL };
	struct reply reply = { 0 };
	char new_inode[32];
	char new_offset[32];
	int is_end = 0;
	bool ok;

	(void)sscanf(text_str(&probe->position), "%31s %31s", inode, offset);
	ok = run(probe, argv, attempt, &reply, e);
	sighting->until_ns = clock_now_ns(attempt->clock);
	if (ok && sscanf(text_str(&reply.out), "%31s %31s %d", new_inode, new_offset, &is_end) < 3)
		ok = err_set(e, ERR_REMOTE, "look at %s: no position was printed", probe->file);
	if (ok) {
		/* Another file begins with a line of its own. */
		if (strcmp(inode, new_inode) != 0 ||
		    strtoll(new_offset, NULL, 10) < strtoll(offset, NULL, 10))
			text_clear(&probe->rest);
		take_file(probe, &reply.out, sighting, sink);
		text_clear(&probe->position);
		text_addf(&probe->position, "%s %s", new_inode, new_offset);
	}
	*ret_is_end = is_end == 1;
	reply_release(&reply);
	return ok;
}

/* Not from the unit's last line: it may have none yet, while some unit of a journal always has. */
static bool look_at_journal(struct log_event *probe, const struct attempt *attempt,
			    struct sighting *sighting, const struct sighting_sink *sink,
			    bool *ret_is_end, struct err *e)
{
	const bool is_first = probe->position.length_bytes == 0;
	struct text after = { 0 };
	const char *argv[12] = { "journalctl", "-q", "--no-pager", "-o", "json",
				 "--output-fields=MESSAGE" };
	struct reply reply = { 0 };
	size_t count = 6;
	bool ok;

	if (is_first) {
		argv[count++] = "-n";
		argv[count++] = "1";
	} else {
		text_addf(&after, "--after-cursor=%s", text_str(&probe->position));
		argv[count++] = text_str(&after);
		if (probe->unit != NULL) {
			argv[count++] = "-u";
			argv[count++] = probe->unit;
		}
	}
	assert(count < sizeof argv / sizeof argv[0]);
	ok = run(probe, argv, attempt, &reply, e);
	sighting->until_ns = is_first ? 0 : clock_now_ns(attempt->clock);
	if (ok && reply.out.length_bytes > 0)
		(void)each_line(probe, reply.out.owned_bytes, sighting, sink, take_entry);
	if (ok && is_first && probe->position.length_bytes == 0)
		ok = err_set(e, ERR_REMOTE, "the journal of %s is empty, or may not be read by %s",
			     probe->host->name,
			     probe->host->user == NULL ? "this user" : probe->host->user);
	*ret_is_end = !reply.is_cut;
	reply_release(&reply);
	text_release(&after);
	return ok;
}

static bool log_event_look(void *state, const struct attempt *attempt,
			   const struct sighting_sink *sink, struct err *e)
{
	struct log_event *probe = state;
	const int64_t began_ns = clock_now_ns(attempt->clock);
	struct sighting sighting = { .from_ns = probe->looked_ns };
	bool is_end = false;

	if (!(probe->file != NULL ?
		      look_at_file(probe, attempt, &sighting, sink, &is_end, e) :
		      look_at_journal(probe, attempt, &sighting, sink, &is_end, e)))
		return false;
	/* A line behind the part that was read may have been there already. */
	if (is_end)
		probe->looked_ns = began_ns;
	return true;
}

static void log_event_close(void *state)
{
	struct log_event *probe = state;

	if (probe == NULL)
		return;
	remote_close(probe->owned_remote);
	regfree(&probe->matches);
	text_release(&probe->position);
	text_release(&probe->rest);
	free(probe);
}

const struct probe_ops probe_log_event = {
	.name = "log.event",
	.summary = "a line that matches was logged on a host, or on each member of a service",
	.on = PROBE_ON_EITHER,
	.is_event = true,
	.uses_host_clock = true,
	.params = log_event_params,
	.check = log_event_check,
	.watch = log_event_watch,
	.look = log_event_look,
	.close = log_event_close,
};
