/*
 * load.c - see load.h: finds the two documents, reads them, and has the model built. The order
 * matters only inside: variables first, the inventory next, the experiment last.
 */
#include "load/load.h"

#include "load/documents.h"
#include "load/source.h"
#include "load/vars.h"

#include <assert.h>
#include <string.h>

/* From the text that was given, or from the file. */
static bool take_source(struct loader *loader, const char *noun, const char *path,
			const char *text, struct source *ret_source)
{
	if (text == NULL)
		return source_read(loader, noun, path, ret_source);
	*ret_source = (struct source){ path, text, strlen(text) };
	return true;
}

/* The tree of a document, or NULL and problems. */
static struct node *read_document(struct loader *loader, const char *noun, const char *path,
				  const char *text, const char **ret_text)
{
	struct source source;
	struct node *root = NULL;

	if (!take_source(loader, noun, path, text, &source))
		return NULL;
	if (!tree_parse(loader, path, source.bytes, source.length_bytes, &root))
		return NULL;
	*ret_text = arena_copy_bytes(loader->arena, source.bytes, source.length_bytes);
	return root;
}

/* Named by the request, by the experiment, or by custom. NULL: a problem says why. */
static const char *find_inventory(struct loader *loader, const struct node *root)
{
	const struct load_request *request = loader->request;
	const struct node *named = tree_get(root, "inventory");
	const char *path = "inventory.yaml";

	if (request->inventory_path != NULL)
		return request->inventory_path;
	if (named != NULL) {
		path = named->kind == NODE_SCALAR && !named->is_null ? plain_text(loader, named) :
								       NULL;
		if (path == NULL || *path == '\0') {
			problem_add(loader, named->mark, "`inventory` must name a file");
			return NULL;
		}
	}
	return path_resolve(loader, request->experiment_path, path);
}

/* path NULL: a problem says why. */
static void take_inventory(struct loader *loader, const char *path)
{
	const struct load_request *request = loader->request;
	const size_t errors_before = loader->error_count;
	const struct node *root;

	if (path == NULL)
		return;
	loader->inventory_path = path;
	root = read_document(loader, "the inventory", path, request->inventory_text,
			     &loader->inventory_text);
	if (root != NULL)
		inventory_build(loader, root);
	loader->is_inventory_sound = loader->error_count == errors_before;
}

/* The key by which an inventory is known; NULL: it is none. */
static const struct node *inventory_sign(const struct node *root)
{
	const struct node *hosts = tree_get(root, "hosts");

	if (tree_get(root, "probes") != NULL || tree_get(root, "title") != NULL)
		return NULL;
	return hosts != NULL ? hosts : tree_get(root, "services");
}

/* `check experiments/` names them all; one sentence then, not one for each of its keys. */
static bool is_inventory(struct loader *loader, const struct node *root)
{
	const struct node *telling = inventory_sign(root);

	if (telling == NULL)
		return false;
	problem_add(loader, telling->key_mark, "this is an inventory; name the experiment that "
		    "uses it, and both are checked");
	return true;
}

static bool is_plan_file(const struct node *root)
{
	return tree_get(root, "schedules") != NULL;
}

/* The experiment of a root, with its inventory. */
static void build_both(struct loader *loader, const struct node *root, const char *text,
		       struct experiment *experiment)
{
	const struct load_request *request = loader->request;
	const struct node *vars = NULL;

	if (is_inventory(loader, root))
		return;
	(void)part_children(loader, root, "vars", NODE_MAP, LIMIT_KEYS, &vars);
	vars_load(loader, vars);
	take_inventory(loader, find_inventory(loader, root));
	*experiment = (struct experiment){
		.source_path = arena_copy(loader->arena, request->experiment_path),
		.source_text = text,
		.inventory_path = arena_copy(loader->arena, loader->inventory_path),
		.inventory_text = loader->inventory_text,
		.vars = request->vars,
		.var_count = request->var_count,
	};
	experiment_build(loader, root, experiment);
	vars_check_given(loader);
}

static void load_both(struct loader *loader, struct experiment *experiment)
{
	const struct load_request *request = loader->request;
	const char *text = NULL;
	const struct node *root = read_document(loader, "the experiment",
						request->experiment_path,
						request->experiment_text, &text);

	if (root == NULL)
		return;
	if (is_plan_file(root))
		problem_add(loader, tree_get(root, "schedules")->key_mark,
			    "this is a plan file, which says when experiments run; `firedrill "
			    "schedule %s` reads it", request->experiment_path);
	else
		build_both(loader, root, text, experiment);
}

/* The caller's pairs may be gone when the experiment is still in use. */
static const struct pair *copy_pairs(struct arena *arena, const struct pair *pairs, size_t count)
{
	struct pair *copies = arena_alloc(arena, count * sizeof *copies);

	for (size_t i = 0; i < count; i++) {
		copies[i].name = arena_copy(arena, pairs[i].name);
		copies[i].value = arena_copy(arena, pairs[i].value);
	}
	return copies;
}

static void keep_request(struct loader *loader, struct load_request *own)
{
	own->experiment_path = arena_copy(loader->arena, own->experiment_path);
	own->inventory_path = arena_copy(loader->arena, own->inventory_path);
	own->vars = copy_pairs(loader->arena, own->vars, own->var_count);
}

static void begin(struct loader *loader, struct load_request *own)
{
	assert(loader->secrets != NULL || !own->has_secrets);

	loader->problems->count = 0;
	loader->problems->dropped_count = 0;
	keep_request(loader, own);
}

bool load_experiment(const struct load_request *request, struct arena *arena,
		     struct secrets *secrets, const struct experiment **ret_experiment,
		     struct problems *problems)
{
	struct load_request own = *request;
	struct loader loader = { .request = &own, .arena = arena, .secrets = secrets,
				 .problems = problems };
	struct experiment *experiment = arena_alloc(arena, sizeof *experiment);

	assert(request->experiment_path != NULL);

	begin(&loader, &own);
	load_both(&loader, experiment);
	problems_sort(problems, own.experiment_path);
	if (loader.error_count > 0)
		return false;
	*ret_experiment = experiment;
	return true;
}

bool load_inventory(const struct load_request *request, struct arena *arena, struct secrets *secrets,
		    const struct inventory **ret_inventory, struct problems *problems)
{
	struct load_request own = *request;
	struct loader loader = { .request = &own, .arena = arena, .secrets = secrets,
				 .problems = problems };

	assert(request->inventory_path != NULL);

	begin(&loader, &own);
	vars_load(&loader, NULL);
	take_inventory(&loader, own.inventory_path);
	vars_check_given(&loader);
	problems_sort(problems, own.inventory_path);
	if (loader.error_count > 0)
		return false;
	*ret_inventory = loader.inventory;
	return true;
}

const struct experiment *experiment_load_named(struct loader *loader,
					       const struct load_request *request)
{
	struct load_request own = *request;
	struct loader inner = { .request = &own, .arena = loader->arena,
				.problems = loader->problems };
	struct experiment *experiment = arena_alloc(loader->arena, sizeof *experiment);

	keep_request(&inner, &own);
	load_both(&inner, experiment);
	loader->error_count += inner.error_count;
	return inner.error_count > 0 ? NULL : experiment;
}

static void load_schedules_of(struct loader *loader, struct schedule_list *list)
{
	const struct load_request *request = loader->request;
	/* Its schedule keeps it. */
	struct experiment *experiment = arena_alloc(loader->arena, sizeof *experiment);
	const char *text = NULL;
	const struct node *root = read_document(loader, "the file", request->experiment_path, NULL,
						&text);

	if (root == NULL)
		return;
	if (is_plan_file(root)) {
		vars_load(loader, NULL);
		plan_file_build(loader, root, list);
		return;
	}
	build_both(loader, root, text, experiment);
	if (experiment->schedule != NULL)
		schedule_list_add(loader->arena, list, experiment->schedule);
	else if (loader->error_count == 0)
		problem_add(loader, root->mark, "this experiment has no `schedule:`; write one, or name "
			    "the experiment in a plan file");
}

static void refuse_same_names(struct loader *loader, const struct schedule_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(list->items[i]->name, list->items[j]->name) == 0)
				problem_add(loader, list->items[i]->mark,
					    "there is a schedule `%s` already (%s:%u); give one of "
					    "them another name", list->items[i]->name,
					    list->items[j]->mark.file,
					    (unsigned)list->items[j]->mark.line);
}

bool load_schedules(const struct load_request *request, const char *const *paths, size_t path_count,
		    struct arena *arena, struct schedule_list *ret_list, struct problems *problems)
{
	struct schedule_list list = { 0 };
	struct loader all = { .arena = arena, .problems = problems };

	assert(path_count > 0 && !request->has_secrets);

	problems->count = 0;
	problems->dropped_count = 0;
	for (size_t i = 0; i < path_count; i++) {
		struct load_request own = *request;
		struct loader loader = { .request = &own, .arena = arena, .problems = problems };

		own.experiment_path = paths[i];
		keep_request(&loader, &own);
		load_schedules_of(&loader, &list);
		all.error_count += loader.error_count;
	}
	refuse_same_names(&all, &list);
	problems_sort(problems, paths[0]);
	if (all.error_count > 0)
		return false;
	*ret_list = list;
	return true;
}

bool load_notify(const struct load_request *request, struct arena *arena, struct secrets *secrets,
		 const struct notify **ret_notify, struct problems *problems)
{
	struct load_request own = *request;
	struct loader loader = { .request = &own, .arena = arena, .secrets = secrets,
				 .problems = problems };
	struct notify *notify = arena_alloc(arena, sizeof *notify);
	const struct node *root;

	assert(request->inventory_path != NULL);

	begin(&loader, &own);
	vars_load(&loader, NULL);
	root = read_document(&loader, "the inventory", own.inventory_path, own.inventory_text,
			     &loader.inventory_text);
	if (root != NULL)
		notify_build(&loader, root, notify);
	problems_sort(problems, own.inventory_path);
	if (loader.error_count > 0)
		return false;
	*ret_notify = notify;
	return true;
}

bool load_is_other_document(const char *path)
{
	const struct load_request request = { .experiment_path = path };
	struct arena arena = { 0 };
	struct problems *problems = arena_alloc(&arena, sizeof *problems);
	struct loader loader = { .request = &request, .arena = &arena, .problems = problems };
	const char *text = NULL;
	const struct node *root = read_document(&loader, "the document", path, NULL, &text);
	const bool is_one = root != NULL && (inventory_sign(root) != NULL || is_plan_file(root));

	arena_release(&arena);
	return is_one;
}
