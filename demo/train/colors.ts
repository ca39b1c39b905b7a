/** The channels of a colour as a browser computes it: "rgb(18, 52, 86)". */
export function rgbOf(color: string): [number, number, number] {
  const [red = 0, green = 0, blue = 0] = color.match(/[\d.]+/g)?.map(Number) ?? [];
  return [red, green, blue];
}
