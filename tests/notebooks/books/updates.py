"""update_display, handles and clear_output."""

# %%
from IPython.display import HTML, clear_output, display, update_display

handle = display("first", display_id=True)
handle

# %%
handle.update("second")

# %%
handle.display("third")

# %%
display("named", display_id="mine")
display("another", display_id="yours");

# %%
update_display(HTML("<b>new</b>"), display_id="mine")

# %%
print("one")
clear_output()
print("two")

# %%
for n in range(3):
    clear_output(wait=True)
    print(n)

# %%
clear_output(wait=True)
"a result after clearing"

# %%
from IPython.display import ProgressBar

for step in ProgressBar(2):
    pass

# %%
import sys

print("out")
print("err", file=sys.stderr)
clear_output()

# %%
update_display("nobody has it", display_id="unknown")

# %%
update_display("no id")

# %%
display("transient", transient={"display_id": "t", "more": 1})

# %%
handle.display_id == display("again", display_id=handle.display_id).display_id
