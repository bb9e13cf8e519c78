/** Part of a canvas' 2D context, in a browser, that answers are drawn with. */
export interface DrawingContext {
  readonly canvas: { readonly width: number; readonly height: number };
  strokeStyle: string;
  lineWidth: number;
  lineCap: string;
  globalAlpha: number;
  imageSmoothingEnabled: boolean;
  strokeRect(x: number, y: number, width: number, height: number): void;
  drawImage(from: object, ...numbers: number[]): void;
  createImageData(width: number, height: number): { readonly data: Uint8ClampedArray };
  putImageData(picture: { readonly data: Uint8ClampedArray }, x: number, y: number): void;
  beginPath(): void;
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
  stroke(): void;
}
