"""Ray, on this machine or many: placing trials, surviving lost machines, mirrors of results, manifests to launch by."""
