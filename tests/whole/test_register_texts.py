"""A text registered, found again as it is and edited, and denied or sold like any other work."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

from tests.whole.stage import Person

POEM = "\n".join(
    f"In the {number}th of those winters the river stood {word} under the bridge of wire and bone."
    for number, word in enumerate(("still", "open", "black", "white", "high", "low", "late", "lost", "new"), 11)
)
ESSAY = "# On keys\n\n" + " ".join(
    f"Sentence {number} says what sentence {number * number} left out." for number in range(60)
)
USE = ("--use", "train-gen", "--purpose", "commercial")


def test_a_text_is_registered_and_found_in_files_and_in_a_column_of_texts(artist: Person, trainer: Person) -> None:
    (artist.folder / "winter.txt").write_text(POEM, "utf-8")
    (artist.folder / "keys.md").write_text(ESSAY, "utf-8")
    (artist.folder / "note.txt").write_text("too short", "utf-8")
    (artist.folder / "latin.txt").write_bytes(
        "Über den Fluss und noch weiter, bis an das andere Ufer".encode("latin-1")
    )
    done = artist.does("register", "winter.txt", "note.txt", "latin.txt", code=1)
    (poem,) = done["works"]
    assert [(each["path"], each["reason"]) for each in done["refused"]] == [
        ("note.txt", "expected a text of at least 32 letters and digits, got fewer"),
        ("latin.txt", "expected text in UTF-8, got another byte at 0"),
    ]
    paid = ("--preset", "paid", "--price", "0.05", "--currency", "USD", "--price-model", "per-work")
    (essay,) = artist.does("register", "keys.md", *paid)["works"]
    again = artist.does("register", "winter.txt")
    assert (again["duplicates"][0]["work"], again["whole"]) == (poem["work"], [])
    shown = artist.types("works", "show", poem["work"]).out
    assert f"file      {poem['sha256']}" in shown
    assert "iscc      ISCC:EAD" in shown
    assert "pdq" not in shown
    assert "thumbnail" not in shown
    assert "parts" not in shown
    artist.does("works", "export", "-o", "home", "--thumbnails")

    changed = POEM.replace("white", "clear").upper()
    (trainer.folder / "copy.txt").write_text(POEM, "utf-8")
    (trainer.folder / "edited.md").write_text(f"> {changed}", "utf-8")
    trainer.does("snapshot", "pull", "--covering", str(done["log_index"]))
    trainer.does(
        "snapshot", "pull", "--covering", str(artist.does("works", "show", essay["work"])["work"]["log_index"])
    )
    told = trainer.does("check", "copy.txt", "edited.md", *USE)
    assert [(each["verdict"], each["match"], each["work"]) for each in told["results"]] == [
        ("deny", "exact", poem["work"]),
        ("deny", "near", poem["work"]),
    ]
    texts = [POEM, changed, ESSAY, f"{ESSAY} The end.", "Somebody else's words, and rather a lot of them here.", None]
    pq.write_table(pa.table({"body": texts}), trainer.folder / "texts.parquet")
    options = (*USE, "--columns", "text=body", "--unknown", "keep")
    trainer.does("filter", "texts.parquet", "-o", "kept.parquet", *options)
    decided = pq.read_table(trainer.folder / "kept.parquet.decisions.parquet").to_pylist()
    assert [(row["verdict"], row["reason"], row["examined"]) for row in decided] == [
        ("deny", "denied", "file,iscc-content"),
        ("deny", "denied", "file,iscc-content"),
        ("license", "offer", "file,iscc-content"),
        ("review", "content-only", "file,iscc-content"),
        ("unknown", "no-match", "file,iscc-content"),
        ("review", "malformed", ""),
    ]
    assert decided[2]["work"] == essay["work"]
