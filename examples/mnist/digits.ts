/** The digits that the network sees, from any source. */
export const PIXELS = 28 * 28;
export const CLASSES = 10;

export interface DataSet {
  /** One image after the other, `PIXELS` bytes each: 0 is background, 255 is ink. */
  readonly images: Uint8Array;
  /** The digit on each image. */
  readonly labels: Uint8Array;
}
