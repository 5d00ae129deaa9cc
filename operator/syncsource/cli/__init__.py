"""The commands. They read options, call the rooms below, and print; they hold no logic of their own."""
