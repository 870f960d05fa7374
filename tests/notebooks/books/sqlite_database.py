"""A database in memory and one on disk."""

# %%
import sqlite3

db = sqlite3.connect(":memory:")
db.execute("create table book (title text, year integer)")
db.executemany("insert into book values (?, ?)", [("Emma", 1815), ("Dracula", 1897), ("Ulysses", 1922)])
db.total_changes

# %%
db.execute("select title from book where year < 1900 order by year").fetchall()

# %%
db.execute("select nothing from nowhere")

# %%
db.row_factory = sqlite3.Row
row = db.execute("select * from book").fetchone()
dict(row), row.keys()

# %%
for title, year in db.execute("select * from book order by title"):
    print(f"{title:10}{year:6}")

# %%
db.create_function("century", 1, lambda year: year // 100 + 1)
[tuple(each) for each in db.execute("select century(year), count(*) from book group by 1")]

# %%
with db:
    db.execute("delete from book where year > 1900")
db.execute("select count(*) from book").fetchone()[0]

# %%
try:
    with db:
        db.execute("insert into book values ('Rolled back', 1)")
        raise RuntimeError("on purpose")
except RuntimeError as error:
    print(error)
db.execute("select count(*) from book").fetchone()[0]

# %%
disk = sqlite3.connect("books.db")
db.backup(disk)
disk.close()
sqlite3.connect("books.db").execute("select count(*) from book").fetchone()

# %%
disk.execute("select 1")

# %%
import pandas as pd

pd.read_sql("select * from book", db)

# %%
db.execute("insert into book values (?)", (1, 2))

# %%
print("\n".join(line for line in db.iterdump() if "INSERT" in line))
