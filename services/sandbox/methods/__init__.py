"""The Bot API's methods, a module per subject. Each registers itself by name; a new subject is a new module listed here."""
