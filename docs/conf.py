"""Sphinx: what `make docs` builds from the pages of this folder and those that are generated from the code."""

project = "Licet"
author = "Licet"
project_copyright = "Licet, Apache-2.0"
extensions = ["myst_parser", "sphinx.ext.autodoc"]
source_suffix = {".md": "markdown"}
master_doc = "README"
html_theme = "furo"
html_title = "Licet"
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {"top_of_page_buttons": []}

# Anchors of headings are what a forge makes of them, so that a link works in both places.
myst_heading_anchors = 6
myst_enable_extensions = ["colon_fence", "strikethrough"]

# Docstrings write `name` for a name; only what is public is told, in the order of the source.
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
add_module_names = False
highlight_language = "text"
# The decoder refuses what the lexer of the highlighter cannot read; an example may be cut with `…`.
suppress_warnings = ["misc.highlighting_failure"]
