/*
 * notify.c - finding a channel by its name; see notify.h.
 */
#include "model/notify.h"

#include <string.h>

const struct channel_spec *notify_channel(const struct notify *notify, const char *name)
{
	for (size_t i = 0; i < notify->channel_count; i++)
		if (strcmp(notify->channels[i].name, name) == 0)
			return &notify->channels[i];
	return NULL;
}
