/* A trained model in a C program: draws a digit of each class, prints one, and asks the encoder which digit
 * it sees. */
#include <stdio.h>
#include <stdlib.h>

#include "embedded.h"

enum { classes = 10, pixels = 28 * 28 };

static void require(int32_t failed, const char* error) {
  if (failed == 0) return;
  fprintf(stderr, "%s\n", error);
  exit(1);
}

int main(int argc, char** argv) {
  char error[256] = "";
  if (argc != 2) {
    fprintf(stderr, "usage: embedded RUN\n");
    return 64;
  }
  vae_model* model = embedded_open(argv[1], 1, error, sizeof error);
  require(model == NULL, error);
  printf("step %lld\n", (long long)embedded_step(model));
  const vae_variable* variable;
  for (int32_t i = 0; (variable = embedded_variable(model, i)) != NULL; ++i)
    printf("%s: %s, %lld numbers\n", variable->name, variable->domain, (long long)variable->elements);

  float digits[classes], x[classes * pixels], seen[classes * classes], log_density[classes];
  for (int i = 0; i < classes; ++i) digits[i] = (float)i;
  const vae_given class_given = {"c", digits, classes};
  const vae_result x_result = {"x", x, classes * pixels};
  require(embedded_sample(model, 7, classes, &class_given, 1, &x_result, 1, error, sizeof error), error);
  for (int i = 0; i < pixels; ++i)
    printf("%s%s", x[3 * pixels + i] > 0.5f ? "##" : "  ", i % 28 == 27 ? "\n" : "");

  const vae_given x_given = {"x", x, classes * pixels};
  const vae_result c_result = {"c", seen, classes * classes};
  require(embedded_infer(model, "c | x", 0, classes, &x_given, 1, &c_result, 1, error, sizeof error), error);
  const vae_given both[] = {class_given, x_given};
  require(embedded_log_density(model, "q.c", classes, both, 2, log_density, classes, error, sizeof error),
          error);
  for (int i = 0; i < classes; ++i)
    printf("digit %d: probability %.4f, log %.4f\n", i, seen[i * classes + i], log_density[i]);
  embedded_close(model);
  return 0;
}
