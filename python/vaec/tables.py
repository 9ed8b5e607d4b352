"""Makes a table of rows of numbers: a DataFrame if pandas is installed, otherwise a dict of lists."""


def table(rows):
    """Makes a table of dicts, one for each row. A key that a row does not have becomes None there."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    lists = {column: [row.get(column) for row in rows] for column in columns}
    try:
        import pandas
    except ImportError:
        return lists
    return pandas.DataFrame(lists)


def flat(record):
    """Makes one row of a line of metrics.jsonl: {"utility": {"p": 1}} becomes {"utility.p": 1}. Terms keep their
    names."""
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
    """A text that a notebook and the prompt show without quotes."""

    def __repr__(self):
        return str(self)
