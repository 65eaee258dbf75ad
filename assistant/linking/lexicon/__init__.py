"""Word lists of the retail trade, as tab-separated files: synonyms, abbreviations, Chinese item words."""
