"""Rows of numbers as a table: a DataFrame where pandas is installed, else a dict of lists."""


def table(rows):
    """One row a dict; a key that a row does not have is None there."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    lists = {column: [row.get(column) for row in rows] for column in columns}
    try:
        import pandas
    except ImportError:
        return lists
    return pandas.DataFrame(lists)


def flat(record):
    """A line of metrics.jsonl: {"utility": {"p": 1}} as {"utility.p": 1}, terms by their own names."""
    row = {"step": record["step"]}
    for key, value in record.items():
        if not isinstance(value, dict):
            row[key] = value
        elif key == "terms":
            row.update(value)
        else:
            row.update({f"{key}.{name}": part for name, part in value.items()})
    return row


class Text(str):
    """A text that a notebook and the prompt show as it is."""

    def __repr__(self):
        return str(self)
