// The differences between the HDF5 libraries that this folder can be built against (1.10 to 1.14). No other
// file may depend on the version.
#pragma once
#include <hdf5.h>

#if H5_VERSION_GE(1, 12, 0)
using ObjectInfo = H5O_info2_t;
#else
using ObjectInfo = H5O_info_t;
#endif

using ObjectVisitor = herr_t (*)(hid_t, const char* name, const ObjectInfo*, void* context);

/// Calls `visit` for every object below `file`. Only the basic fields of its ObjectInfo are set.
inline herr_t visit_objects(hid_t file, ObjectVisitor visit, void* context) {
#if H5_VERSION_GE(1, 12, 0)
  return H5Ovisit3(file, H5_INDEX_NAME, H5_ITER_NATIVE, visit, context, H5O_INFO_BASIC);
#else
  return H5Ovisit2(file, H5_INDEX_NAME, H5_ITER_NATIVE, visit, context, H5O_INFO_BASIC);
#endif
}
