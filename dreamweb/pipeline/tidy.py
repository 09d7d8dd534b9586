"""The third step: makes a fluent text of a transcription, which adds nothing and keeps the dreamer's words."""

from __future__ import annotations

from dreamweb import versions
from dreamweb.adapters.children import Watch
from dreamweb.errors import Skipped
from dreamweb.models.entry import Entry
from dreamweb.pipeline.work import Done, Hands, storable
from dreamweb.words import say


def run(hands: Hands, entry: Entry, watch: Watch) -> Done:
    heard = entry.transcription
    if not heard:
        raise Skipped(say("Nothing was heard in this recording that could be tidied."))
    models, spent = hands.models(entry)
    tidied = hands.language.tidy(heard, entry.language, models, watch)

    def write(current: Entry) -> None:
        if current.transcription == heard:  # else it was heard anew meanwhile, and is tidied next
            versions.add(
                current,
                "cleaned_text",
                storable(tidied.text),
                engine=tidied.engine,
                language=current.language,
                rejected=tidied.rejected,
            )

    reason = tidied.rejected or spent or next(iter(tidied.failed), None)
    return Done(
        write,
        engine=tidied.engine,
        amount=len(heard),
        used=tidied.used,
        reason=reason,
        outside=tidied.outside,
    )
