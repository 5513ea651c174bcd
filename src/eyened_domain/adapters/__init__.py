"""What connects the domain to databases, files, the command line and notebooks."""
