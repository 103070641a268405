export type Box = { readonly x: number; readonly y: number; readonly width: number; readonly height: number };

export type LabelRequest = {
  /** The point that is labelled, and how far from it the label begins. */
  readonly x: number;
  readonly y: number;
  readonly away: number;
  readonly width: number;
  readonly height: number;
};

/**
 * Places for labels beside their points, so that none covers another, a taken box or the edge. Labels that come first choose
 * first; undefined for one that finds no place.
 */
export function placeLabels(
  requests: readonly LabelRequest[],
  taken: readonly Box[],
  area: Box,
): ({ readonly x: number; readonly y: number } | undefined)[] {
  const boxes = [...taken];
  return requests.map(({ x, y, away, width, height }) => {
    const right = x + away;
    const left = x - away - width;
    const middle = x - width / 2;
    const below = y + away;
    const above = y - away - height;
    const places = [
      ...[[right, y - height / 2] as const, [left, y - height / 2] as const],
      ...[[middle, above] as const, [middle, below] as const],
      ...[[right - 3, above + 3] as const, [right - 3, below - 3] as const],
      ...[[left + 3, above + 3] as const, [left + 3, below - 3] as const],
    ];
    const free = places
      .map(([atX, atY]): Box => ({ x: atX, y: atY, width, height }))
      .find((box) => inside(box, area) && boxes.every((other) => !touch(box, other)));
    if (free) boxes.push(free);
    return free && { x: free.x, y: free.y };
  });
}

const touch = (a: Box, b: Box) =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

const inside = (box: Box, area: Box) =>
  box.x >= area.x &&
  box.y >= area.y &&
  box.x + box.width <= area.x + area.width &&
  box.y + box.height <= area.y + area.height;
