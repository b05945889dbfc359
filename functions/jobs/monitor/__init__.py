"""The analyzer: what an hour of captured requests looks like beside the release's baseline. numpy alone."""
