"""HTTP: requests are read, answered from the registry, the store and the writer, and encoded. No rule of the API lives here."""
