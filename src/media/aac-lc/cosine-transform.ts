/**
 * The discrete cosine transform of type IV, which all windows of AAC stand on, by a complex Fourier transform of half its size.
 */

export class CosineTransform {
  /** Lines in and out; a power of two. */
  readonly size: number;
  readonly #half: number;
  /** exp(-i pi (8k + 1) / (8 size)). */
  readonly #twistCos: Float64Array;
  readonly #twistSin: Float64Array;
  /** exp(-2 pi i k / half). */
  readonly #cos: Float64Array;
  readonly #sin: Float64Array;
  readonly #reversed: Uint16Array;
  readonly #re: Float64Array;
  readonly #im: Float64Array;

  constructor(size: number) {
    this.size = size;
    const half = size / 2;
    this.#half = half;
    this.#re = new Float64Array(half);
    this.#im = new Float64Array(half);
    this.#twistCos = Float64Array.from({ length: half }, (_, k) => Math.cos((Math.PI * (8 * k + 1)) / (8 * size)));
    this.#twistSin = Float64Array.from({ length: half }, (_, k) => -Math.sin((Math.PI * (8 * k + 1)) / (8 * size)));
    this.#cos = Float64Array.from({ length: half / 2 }, (_, k) => Math.cos((2 * Math.PI * k) / half));
    this.#sin = Float64Array.from({ length: half / 2 }, (_, k) => -Math.sin((2 * Math.PI * k) / half));
    this.#reversed = new Uint16Array(half);
    for (let i = 1; i < half; i++) {
      this.#reversed[i] = (this.#reversed[i >> 1]! >> 1) | ((i & 1) === 0 ? 0 : half >> 1);
    }
  }

  /** `output[n]` becomes the sum of `input[from + k] * cos(pi / size * (n + 1/2) * (k + 1/2))`, times `scale`. */
  run(input: Float32Array, from: number, output: Float64Array, scale: number): void {
    const half = this.#half;
    const last = this.size - 1;
    const re = this.#re;
    const im = this.#im;
    const twistCos = this.#twistCos;
    const twistSin = this.#twistSin;
    const reversed = this.#reversed;
    for (let k = 0; k < half; k++) {
      const a = input[from + 2 * k]! * scale;
      const b = input[from + last - 2 * k]! * scale;
      const at = reversed[k]!;
      re[at] = a * twistCos[k]! - b * twistSin[k]!;
      im[at] = a * twistSin[k]! + b * twistCos[k]!;
    }
    this.#fourier();
    for (let n = 0; n < half; n++) {
      output[2 * n] = re[n]! * twistCos[n]! - im[n]! * twistSin[n]!;
      output[last - 2 * n] = -(re[n]! * twistSin[n]! + im[n]! * twistCos[n]!);
    }
  }

  /** In place, of what lies in bit-reversed order: first by fours, then by twos. */
  #fourier(): void {
    const size = this.#half;
    const re = this.#re;
    const im = this.#im;
    const cos = this.#cos;
    const sin = this.#sin;
    for (let i = 0; i < size; i += 4) {
      const r0 = re[i]! + re[i + 1]!;
      const i0 = im[i]! + im[i + 1]!;
      const r1 = re[i]! - re[i + 1]!;
      const i1 = im[i]! - im[i + 1]!;
      const r2 = re[i + 2]! + re[i + 3]!;
      const i2 = im[i + 2]! + im[i + 3]!;
      const r3 = re[i + 2]! - re[i + 3]!;
      const i3 = im[i + 2]! - im[i + 3]!;
      re[i] = r0 + r2;
      im[i] = i0 + i2;
      re[i + 1] = r1 + i3;
      im[i + 1] = i1 - r3;
      re[i + 2] = r0 - r2;
      im[i + 2] = i0 - i2;
      re[i + 3] = r1 - i3;
      im[i + 3] = i1 + r3;
    }
    for (let width = 4; width < size; width *= 2) {
      const step = size / (2 * width);
      for (let start = 0; start < size; start += 2 * width) {
        for (let k = 0, t = 0; k < width; k++, t += step) {
          const low = start + k;
          const high = low + width;
          const r = re[high]! * cos[t]! - im[high]! * sin[t]!;
          const i = re[high]! * sin[t]! + im[high]! * cos[t]!;
          re[high] = re[low]! - r;
          im[high] = im[low]! - i;
          re[low] = re[low]! + r;
          im[low] = im[low]! + i;
        }
      }
    }
  }
}
