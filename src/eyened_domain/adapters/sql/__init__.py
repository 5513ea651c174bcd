"""The SQL adapter: tables, mapping, repositories, unit of work, sessions, migrations."""
