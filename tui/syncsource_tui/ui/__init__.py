"""Widgets and screens. They draw what ``core`` says and send keys to it; no text from outside is read as markup."""
