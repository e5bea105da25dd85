"""`harness validate --attacks --peers`: the museum's cheats under the rules of other harnesses."""

from __future__ import annotations

import asyncio

from harness.audits.museum import NEEDS, Exhibit, museum_folder, read_museum, run_museum
from harness.audits.peers import Answered, PeerRow, peer_rows, peer_table, plain_file
from harness.commands import common
from harness.errors import InfraError
from harness.lean.services.file import FileVerifier
from harness.lean.services.opening import file_verifier
from harness.lean.verdicts.replies import Reply
from harness.spec import LeanSpec
from harness.terminal.progress import Display
from harness.types import Verdict


async def _said(verifier: FileVerifier, exhibit: Exhibit) -> Reply | None:
    """None where `lean` crashes, does not end, or cannot read the header: no rule sees a proof there."""
    try:
        return await verifier.ask(exhibit.problem.header, plain_file(exhibit))
    except InfraError:
        return None


def peers(spec: LeanSpec, told: Display, as_json: bool) -> int:
    """Print the table; 1 when this project takes a cheat. Raises `UserError` unless plain `lean` is asked."""
    common.need(spec.service == "file", "--peers: needs what plain lean says; add --lean file --project DIR")
    with told.task("what Lean says to the cheats as plain files, and our verdicts on them"):
        compiled, unanswered, rows = asyncio.run(_compared(spec))
    if as_json:
        counts = {row.name: {"taken": row.taken, "failures": row.failures} for row in rows}
        common.print_json({"compiled": compiled, "unanswered": unanswered, "rules": counts})
    else:
        print("\n".join(peer_table(rows, compiled)))
        if unanswered:
            print(f"{unanswered} cheats left out: Lean crashed, did not end, or cannot read their header")
    return 1 if rows[-1].taken or rows[-1].failures else 0


async def _compared(spec: LeanSpec) -> tuple[int, int, list[PeerRow]]:
    cheats = [exhibit for exhibit in read_museum(museum_folder()) if not exhibit.honest]
    verifier = file_verifier(spec)
    replies = await asyncio.gather(*(_said(verifier, exhibit) for exhibit in cheats))
    answered = [
        Answered(exhibit, plain_file(exhibit), reply)
        for exhibit, reply in zip(cheats, replies, strict=True)
        if reply is not None and not reply.errors
    ]
    shown = [one.exhibit for one in answered]
    ours: dict[str, list[Verdict]] = {exhibit.name: [] for exhibit in shown}
    for row in await run_museum(verifier, shown, reach=NEEDS[-1]):
        ours[row.exhibit.name].append(row.verdict)
    return len(answered), replies.count(None), peer_rows(answered, ours)
