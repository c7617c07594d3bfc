"""The rule on what is too much to be read."""

from __future__ import annotations

from schedops.verify.source.report import ERROR, rule

LIMIT = rule(
    "SOURCE-LIMIT",
    ERROR,
    "The source is too large or too deeply nested to be read",
    why="""
        The rules read 60,000 tokens after macros are expanded, nested 220 deep: thirty times what a scheduler of this
        library has. A text that is larger could hide anything behind that limit, so it does not pass.
        """,
    fix="Split the policy; generate less by macros.",
    source="a limit of this verifier: the time that the rules take grows with the size of the text",
    bad="""
        #define TEN(x) x x x x x x x x x x

        static void much(void)
        {
            TEN(TEN(TEN(TEN(TEN(x++;)))))
        }
        """,
    good="""
        #define TEN(x) x x x x x x x x x x

        static void little(void)
        {
            TEN(x++;)
        }
        """,
)
