"""The side of JAX in the bench: `optax.rmsprop` on one thread, its step compiled by `jax.jit`."""

import os

# Read when JAX starts. The second makes its own pool of threads one thread wide.
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
os.environ["NPROC"] = "1"

import time

import jax
import optax
from commands import inputs_of, obey, write_floats


class Runner:
    def __init__(self, work, hasGradients, squareAvg, options):
        self.start, grad = inputs_of(work, hasGradients)
        size = work["size"]
        self.split = lambda values: [jax.numpy.array(values[at : at + size]) for at in range(0, len(values), size)]
        self.grads = self.split(grad)
        optimizer = optax.rmsprop(
            options["lr"],
            decay=options["alpha"],
            eps=options["eps"],
            initial_scale=squareAvg,
            eps_in_sqrt=False,
            momentum=options.get("momentum"),
            centered=options.get("centered", False),
        )
        self.optimizer = optimizer

        def step(params, state, grads):
            updates, state = optimizer.update(grads, state, params)
            return optax.apply_updates(params, updates), state

        # Donated, the planes are updated where they stand, as everywhere else in the bench.
        self.step = jax.jit(step, donate_argnums=(0, 1))

    def reset(self):
        self.params = self.split(self.start)
        self.state = self.optimizer.init(self.params)

    def time(self, steps):
        params, state, grads, step = self.params, self.state, self.grads, self.step
        start = time.perf_counter_ns()
        for _ in range(steps):
            params, state = step(params, state, grads)
        jax.block_until_ready(params)
        self.params, self.state = params, state
        return {"nanoseconds": time.perf_counter_ns() - start}

    def read(self, path):
        write_floats(path, jax.numpy.concatenate(self.params))


obey(Runner)
