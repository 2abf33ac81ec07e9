"""From a suite to its records: plan, units of work, sessions, executors."""
