/*
 * A network of 2 inputs, 16 hidden units and 1 output, without a C library:
 *
 *     h = softsign(b1 + x·w1[0] + y·w1[1])    out = b2 + h·w2    loss = ½(out − target)²
 *
 * An exported array becomes a global that holds its address, which tells the optimizer the place of a tensor. Numbers are
 * `real`: float, or what the compiler is told by -Dreal=double.
 */
#define EXPORT __attribute__((visibility("default")))
#define HIDDEN 16
#ifndef real
#define real float
#endif
#define PAGE_BYTES 65536

EXPORT real w1[2 * HIDDEN], b1[HIDDEN], w2[HIDDEN], b2[1];
EXPORT real dw1[2 * HIDDEN], db1[HIDDEN], dw2[HIDDEN], db2[1];

/* As S-shaped as tanh, and nothing but a division. */
static double softsign(double x) {
  return x / (1 + __builtin_fabs(x));
}

static double forward(double x, double y, double *hidden) {
  double out = b2[0];
  for (int j = 0; j < HIDDEN; j++) {
    hidden[j] = softsign(b1[j] + x * w1[j] + y * w1[HIDDEN + j]);
    out += hidden[j] * w2[j];
  }
  return out;
}

EXPORT double predict(double x, double y) {
  double hidden[HIDDEN];
  return forward(x, y, hidden);
}

/* Adds the gradient of the mean loss over `count` points (x, y, target) to dw1, db1, dw2, db2; returns that loss. */
EXPORT double backward(const real *points, int count) {
  double hidden[HIDDEN], loss = 0;
  for (int i = 0; i < count; i++, points += 3) {
    double x = points[0], y = points[1];
    double error = forward(x, y, hidden) - points[2];
    loss += (0.5 * error * error) / count;

    double dout = error / count;
    db2[0] += (real)dout;
    for (int j = 0; j < HIDDEN; j++) {
      dw2[j] += (real)(dout * hidden[j]);
      double slope = 1 - __builtin_fabs(hidden[j]); /* softsign'(x) = (1 − |softsign(x)|)² */
      double dsum = dout * w2[j] * slope * slope;
      db1[j] += (real)dsum;
      dw1[j] += (real)(dsum * x);
      dw1[HIDDEN + j] += (real)(dsum * y);
    }
  }
  return loss;
}

/*
 * The simplest allocator: memory is handed out from the end of the data on, never taken back, and grown when it ends.
 * Like Emscripten's it counts every page up to the end of memory as its own, so that nobody else may grow it.
 */
EXPORT void *malloc(__SIZE_TYPE__ size) {
  extern char __heap_base; /* where the linker's data ends */
  static __SIZE_TYPE__ top = (__SIZE_TYPE__)&__heap_base;

  __SIZE_TYPE__ start = (top + 15) & ~(__SIZE_TYPE__)15;
  __SIZE_TYPE__ room = __builtin_wasm_memory_size(0) * PAGE_BYTES - start;
  if (size > room) {
    __SIZE_TYPE__ pages = (size - room - 1) / PAGE_BYTES + 1;
    if (__builtin_wasm_memory_grow(0, pages) == (__SIZE_TYPE__)-1) return 0;
  }
  top = start + size;
  return (void *)start;
}
