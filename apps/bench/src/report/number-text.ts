import type { Spread } from "./comparison.ts";

/** A number as people read it. */
export function numberText(value: number, digits: number): string {
  return value.toLocaleString("en", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

/** The median, and from where to where the rounds went if there were several. */
export function spreadText({ median, min, max }: Spread, digits: number): string {
  const middle = numberText(median, digits);
  if (min === max) return middle;
  return `${middle} (${numberText(min, digits)}–${numberText(max, digits)})`;
}

export function timesText(spread: Spread): string {
  const digits = spread.median >= 10 ? 0 : 2;
  const { median, min, max } = spread;
  const middle = `${numberText(median, digits)}×`;
  if (min === max) return middle;
  return `${middle} (${numberText(min, digits)}–${numberText(max, digits)})`;
}
