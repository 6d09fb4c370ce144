import type { Deployment } from "./deployment.ts";
import type { EditingSession } from "./session/editing-session.ts";
import { closeTypedDocuments, openTypedDocuments } from "./workloads/typed-document.ts";
import { typeAllInFlight } from "./workloads/type-in-flight.ts";

const DOCUMENTS = 20;
/** Typed into each document, one at a time and in bursts by turns. */
const KEYSTROKES = 4000;
const AT_ONCE = 50;
const WINDOWS = [1, 8];

/** Types a while, at most so many milliseconds: or the first would be measured while its code is being compiled. */
export async function warmUp(
  deployment: Deployment,
  session: EditingSession,
  patience: number,
): Promise<void> {
  const documents = await openTypedDocuments(deployment, session, DOCUMENTS);
  const length = Math.min(KEYSTROKES, session.keystrokes.length);
  const deadline = performance.now() + patience;
  for (let typed = 0; typed + AT_ONCE <= length; typed += AT_ONCE) {
    if (performance.now() > deadline) break;
    const window = WINDOWS[(typed / AT_ONCE) % WINDOWS.length] ?? 1;
    await typeAllInFlight(documents, window, AT_ONCE);
  }
  await closeTypedDocuments(documents);
}
