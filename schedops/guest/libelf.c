/*
 * Debian 13's libelf.a (elfutils 0.192) calls two functions of a libeu that Debian does not ship. They set up and tear
 * down a tree that only elf_getdata_rawchunk() fills, which libbpf never calls: an empty tree needs neither.
 */
struct search_tree;

__attribute__((weak)) void eu_search_tree_init(struct search_tree *tree)
{
	(void)tree;
}

__attribute__((weak)) void eu_search_tree_fini(struct search_tree *tree, void (*free_node)(void *))
{
	(void)tree;
	(void)free_node;
}
