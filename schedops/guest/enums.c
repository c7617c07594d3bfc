/* Code written for sched-ext/scx's headers reads the kernel's enumerators from variables that its loader has to set:
 * SCX_DSQ_LOCAL is "const volatile u64 __SCX_DSQ_LOCAL __weak". Left at 0 they make every queue the queue 0. */
#define _GNU_SOURCE
#include "loader.h"

#include <bpf/btf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_VARIABLES = 512 };

static struct variable {
	const char *enumerator;
	char *place;
	uint32_t size;
} variable[MAX_VARIABLES];
static unsigned variables;

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);
	return n >= m && !strcmp(text + n - m, end);
}

static void add(const struct btf *btf, const struct btf_var_secinfo *place, char *data, size_t data_size)
{
	const struct btf_type *type = btf__type_by_id(btf, place->type);
	const char *name = type && btf_is_var(type) ? btf__name_by_offset(btf, type->name_off) : NULL;
	if (!name || strncmp(name, "__SCX_", 6) || variables == MAX_VARIABLES)
		return;
	if ((place->size != 4 && place->size != 8) || place->offset > data_size || place->size > data_size - place->offset)
		return;
	variable[variables++] = (struct variable){name + 2, data + place->offset, place->size};
}

static void find_variables(struct bpf_object *object)
{
	const struct btf *btf = bpf_object__btf(object);
	struct bpf_map *map;
	if (!btf)
		return;
	int section = btf__find_by_name_kind(btf, ".rodata", BTF_KIND_DATASEC);
	const struct btf_type *type = section > 0 ? btf__type_by_id(btf, (uint32_t)section) : NULL;
	bpf_object__for_each_map(map, object) {
		size_t size = 0;
		char *data = bpf_map__initial_value(map, &size);
		if (!type || !data || !ends_with(bpf_map__name(map), ".rodata"))
			continue;
		for (int i = 0; i < btf_vlen(type); i++)
			add(btf, btf_var_secinfos(type) + i, data, size);
	}
}

static void set(const char *enumerator, uint64_t value)
{
	for (struct variable *v = variable; v < variable + variables; v++)
		if (!strcmp(v->enumerator, enumerator))
			memcpy(v->place, &value, v->size); /* little endian: the low bytes first */
}

static void take_values(const struct btf *kernel, const struct btf_type *type)
{
	for (int i = 0; i < btf_vlen(type); i++) {
		const struct btf_enum *e = btf_enum(type) + i;
		const struct btf_enum64 *e64 = btf_enum64(type) + i;
		bool wide = btf_is_enum64(type);
		const char *name = btf__name_by_offset(kernel, wide ? e64->name_off : e->name_off);
		if (!name || strncmp(name, "SCX_", 4))
			continue;
		if (wide)
			set(name, btf_enum64_value(e64));
		else
			set(name, btf_kflag(type) ? (uint64_t)(int64_t)e->val : (uint32_t)e->val);
	}
}

/* What this kernel does not have stays as it is, 0 for headers that know it. */
void enums_set(struct bpf_object *object)
{
	struct btf *kernel;
	variables = 0;
	find_variables(object);
	kernel = variables ? btf__load_vmlinux_btf() : NULL;
	if (!kernel)
		return;
	for (uint32_t id = 1; id < btf__type_cnt(kernel); id++) {
		const struct btf_type *type = btf__type_by_id(kernel, id);
		if (btf_is_enum(type) || btf_is_enum64(type))
			take_values(kernel, type);
	}
	btf__free(kernel);
}
