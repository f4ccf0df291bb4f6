"""What people see and touch: Discord commands, buttons and messages, and the life of a job."""
