"""One data set a file: each exports an object of its own name that opens a root as a Source."""
