"""pathlib, json, csv, archives."""

# %%
import csv
import json
from pathlib import Path

folder = Path("data")
folder.mkdir()
(folder / "a.json").write_text(json.dumps({"n": 1, "list": [1, 2.5, None, True]}))

# %%
json.loads((folder / "a.json").read_text())

# %%
print(json.dumps({"é": ["x"]}, indent=2, ensure_ascii=False))

# %%
Path("nowhere/file.txt").read_text()

# %%
json.loads("[1, 2")

# %%
with open(folder / "t.csv", "w", newline="") as file:
    writer = csv.DictWriter(file, ["name", "n"])
    writer.writeheader()
    writer.writerows([{"name": "x,y", "n": 1}, {"name": 'q"', "n": 2}])
print((folder / "t.csv").read_text())

# %%
list(csv.DictReader(open(folder / "t.csv")))

# %%
import zipfile

with zipfile.ZipFile("data.zip", "w") as archive:
    for path in sorted(folder.iterdir()):
        archive.write(path)
archive.namelist(), archive

# %%
sorted(path.name for path in Path().glob("*"))

# %%
Path.cwd()

# %%
(folder / "a.json").unlink()
(folder / "a.json").exists(), folder / "b", Path("x.tar.gz").suffixes

# %%
folder.rmdir()

# %%
import tempfile

with tempfile.TemporaryDirectory() as temporary:
    print(Path(temporary).is_dir())
Path(temporary).exists()

# %%
json.dumps({1, 2})

# %%
import pickle

pickle.loads(pickle.dumps({"a": Path("x")}))

# %%
class Local:
    def __eq__(self, other):
        return type(other) is type(self)


pickle.loads(pickle.dumps(Local())) == Local(), Local.__module__

# %%
print(__name__, "__file__" in globals(), __builtins__ is __import__("builtins"))
