"""The repositories and the unit of work in plain Python, with real rollback.

- `store`: what is committed, and what one unit of work sees and changes of it;
- `references`: how the tables hang together;
- `constraints`: keys, foreign keys and delete rules, checked on what a unit has changed;
- `held`: the objects of a unit of work, what was read of them, and their links;
- `agreement`: links and the ids behind them;
- `flushing`: from objects to rows;
- `repositories`, `unit_of_work`: those of `services`, on objects in memory;
- `bulk`, `import_journal`, `conversion_record`: those of `services`, on the view of a unit;
- `images`: pixels from a dict, behind the port that images have;
- `database`: gives units of work, as `Database` does.
"""

from eyened_domain.adapters.memory.database import MemoryDatabase as MemoryDatabase
from eyened_domain.adapters.memory.images import MemoryImages as MemoryImages
from eyened_domain.adapters.memory.store import MemoryStore as MemoryStore
from eyened_domain.adapters.memory.unit_of_work import MemoryUnitOfWork as MemoryUnitOfWork
