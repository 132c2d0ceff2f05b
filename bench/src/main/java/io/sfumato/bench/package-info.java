/** Sfumato's side of the benchmarks in {@code bench/}. */
package io.sfumato.bench;
