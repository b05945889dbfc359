"""Attacks on the project, each as somebody would try it, and the sentence or the figure that stops it.

| file | who attacks | findings |
|---|---|---|
| `test_callers.py` | somebody who may call the API | F4, F12, F23, F24 |
| `test_comments.py` | a pull request, in its own preview | F13 |
| `test_state.py` | whoever could write to a stack's state | F1 |
| `test_gateway.py` | another user of the machine, or a web page | F9, F21 |
| `test_storage.py` | code that runs in a build, a job or a deployment | F2, F5, F6 |

Each is an attack that a review had shown to succeed. What a part of the program does beside that is tested where its
tests mirror the tree. Run them alone with `.venv/bin/python -m pytest tests/security`.
"""
