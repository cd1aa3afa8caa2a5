/* What graphs do to the user objects that they hold. */
#ifndef WARPRING_USER_OBJECT_H
#define WARPRING_USER_OBJECT_H

#include "warpring.h"

/* A clone, or an executable graph, holds what the graph holds. */
void wr_graph_copied(const void *from, const void *to);
/* A graph, or an executable graph, holds nothing any more. */
void wr_graph_destroyed(const void *graph);

#endif
