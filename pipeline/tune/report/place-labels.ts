export type Box = { readonly x: number; readonly y: number; readonly width: number; readonly height: number };

export type LabelRequest = {
  /** The point that is labelled, and how far from it the label begins. */
  readonly x: number;
  readonly y: number;
  readonly away: number;
  readonly width: number;
  readonly height: number;
};

/** Where a label stands, and whether a line must lead to its point. */
export type LabelPlace = { readonly x: number; readonly y: number; readonly far: boolean };

/**
 * Places for labels beside their points, so that none covers another, a taken box or the edge. Labels that come first choose
 * first; undefined for one that finds no place.
 */
export function placeLabels(
  requests: readonly LabelRequest[],
  taken: readonly Box[],
  area: Box,
): (LabelPlace | undefined)[] {
  const boxes = [...taken];
  return requests.map(({ x, y, away, width, height }) => {
    for (const distance of [away, away + 12, away + 24]) {
      const free = around(x, y, distance, width, height).find(
        (box) => inside(box, area) && boxes.every((other) => !touch(box, other)),
      );
      if (!free) continue;
      boxes.push(free);
      return { x: free.x, y: free.y, far: distance > away };
    }
    return undefined;
  });
}

/** The eight places about a point, the ones that read best first. */
function around(x: number, y: number, away: number, width: number, height: number): Box[] {
  const [right, left, middle] = [x + away, x - away - width, x - width / 2];
  const [below, above, level] = [y + away, y - away - height, y - height / 2];
  const places: readonly (readonly [number, number])[] = [
    ...([[right, level] as const, [left, level] as const, [middle, above] as const, [middle, below] as const] as const),
    ...([[right - 3, above + 3] as const, [right - 3, below - 3] as const] as const),
    ...([[left + 3, above + 3] as const, [left + 3, below - 3] as const] as const),
  ];
  return places.map(([atX, atY]) => ({ x: atX, y: atY, width, height }));
}

const touch = (a: Box, b: Box) =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

const inside = (box: Box, area: Box) =>
  box.x >= area.x &&
  box.y >= area.y &&
  box.x + box.width <= area.x + area.width &&
  box.y + box.height <= area.y + area.height;
