"""The differential machine: random programs must mean the same on every storage.

- `programs`: what a program is, and how one is drawn;
- `vocabulary`: the entities, columns, values and links that programs speak of;
- `storages`: memory, SQLite and servers, emptied between programs;
- `world`: carries a program out on one storage, and tells what came of each step;
- `comparing`: carries it out on several, and finds the first difference;
- `allowed`: the differences that are allowed, as data;
- `mutants`: faults put into the adapters on purpose, which must be found.
"""
