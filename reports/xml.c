/*
 * xml.c - see xml.h.
 */
#include "reports/xml.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "reports/escape.h"

void xml_add_attribute(struct text *text, const char *name, const char *value)
{
	text_addf(text, " %s=\"", name);
	escape_markup(text, value);
	text_add(text, "\"");
}

void xml_add_seconds(struct text *text, const char *name, int64_t ns)
{
	if (ns < 0)
		ns = 0;
	text_addf(text, " %s=\"%" PRId64 ".%06" PRId64 "\"", name, ns / NS_PER_S,
		  ns % NS_PER_S / NS_PER_US);
}

void xml_add_property(struct text *text, const char *name, const char *value)
{
	if (value == NULL)
		return;
	text_add(text, "      <property");
	xml_add_attribute(text, "name", name);
	xml_add_attribute(text, "value", value);
	text_add(text, "/>\n");
}

void xml_add_moment(struct text *text, const char *name, int64_t wall_ns)
{
	char iso[32];

	clock_format_wall(wall_ns, iso, sizeof iso);
	iso[strcspn(iso, ".Z")] = '\0';
	xml_add_attribute(text, name, iso);
}
