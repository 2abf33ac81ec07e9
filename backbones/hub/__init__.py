"""Where a backbone's card and its files come from: hubs, this machine, installed packages."""
