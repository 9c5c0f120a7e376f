/*
 * label.c - see label.h.
 */
#include "model/label.h"

#include <string.h>

#include "base/limits.h"

bool label_is_valid(const char *label)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-.";
	const size_t name_length = strspn(label, allowed);
	const size_t length = strlen(label);

	return length <= LIMIT_NAME_BYTES && name_length > 0 && label[name_length] == '=' &&
	       name_length + 1 < length &&
	       strspn(label + name_length + 1, allowed) == length - name_length - 1;
}
