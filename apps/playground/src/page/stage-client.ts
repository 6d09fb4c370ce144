import type { PlaceEvent, StageAction, StageDescription } from "../stage-contract.ts";

/** @throws if there is no stage */
export async function loadStage(): Promise<StageDescription> {
  const response = await fetch("stage");
  if (!response.ok) throw new Error(`the stage answers with ${response.status}`);
  return (await response.json()) as StageDescription;
}

/** Calls `take` whenever something changes at the place, and `lost` when the stage is gone; the browser tries again by itself. */
export function watchPlace(
  place: string,
  take: (event: PlaceEvent) => void,
  lost: () => void,
): void {
  const source = new EventSource(`stage/${place}/events`);
  source.addEventListener("message", ({ data }) => take(JSON.parse(String(data)) as PlaceEvent));
  source.addEventListener("error", lost);
}

/** @throws with the stage's own words if it cannot be done */
export async function act(place: string, action: StageAction): Promise<void> {
  const response = await fetch(`stage/${place}/${action}`, { method: "POST" });
  if (response.ok) return;
  const body = (await response.json().catch(() => ({}))) as { readonly message?: string };
  throw new Error(body.message ?? `the stage answers with ${response.status}`);
}
