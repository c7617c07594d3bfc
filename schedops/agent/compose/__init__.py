"""New policies by composition: a small grammar of rules, expanded into C that a person would have written."""
