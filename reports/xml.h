/*
 * xml.h - the small pieces that every report in JUnit XML is made of.
 */
#ifndef REPORTS_XML_H
#define REPORTS_XML_H

#include <stdint.h>

#include "base/mem.h"

/* ` name="value"`, the value escaped. */
void xml_add_attribute(struct text *text, const char *name, const char *value);
/* ` time="12.345000"`: never through printf("%f"), whose point is the locale's. Below 0 reads as 0. */
void xml_add_seconds(struct text *text, const char *name, int64_t ns);
/* `<property name= value=/>` on a line of its own; value NULL: nothing. */
void xml_add_property(struct text *text, const char *name, const char *value);
/* A moment as xs:dateTime as the common schema has it: no fraction and no zone. */
void xml_add_moment(struct text *text, const char *name, int64_t wall_ns);

#endif
