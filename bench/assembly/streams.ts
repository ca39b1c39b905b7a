/** Reads and writes what a plain step does, with an addition for all its arithmetic: the roof that memory sets. */
export function update(param: usize, grad: usize, squareAvg: usize, count: u32): void {
  for (let end = param + (count << 2); param < end; param += 16, grad += 16, squareAvg += 16) {
    const g = v128.load(grad);
    v128.store(squareAvg, f32x4.add(v128.load(squareAvg), g));
    v128.store(param, f32x4.add(v128.load(param), g));
  }
}
