# find_package(vaec): vaec_add_library(NAME FILE.vae) makes a target NAME, which is the library and the header
# of a model.
get_filename_component(vaec_prefix ${CMAKE_CURRENT_LIST_DIR}/../../.. ABSOLUTE)
set(VAEC_EXECUTABLE ${vaec_prefix}/bin/vaec)

# Words after FILE.vae are passed to `vaec build`, for example -D code=32.
function(vaec_add_library name file)
  get_filename_component(source ${file} ABSOLUTE)
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/${name}-model)
  file(MAKE_DIRECTORY ${folder})
  set(library ${folder}/lib${name}.so)
  add_custom_command(
    OUTPUT ${library} ${folder}/${name}.h
    COMMAND ${VAEC_EXECUTABLE} build ${source} --emit=library -o ${library} ${ARGN}
    DEPENDS ${source} ${VAEC_EXECUTABLE}
    VERBATIM)
  add_custom_target(${name}-model DEPENDS ${library} ${folder}/${name}.h)
  add_library(${name} SHARED IMPORTED GLOBAL)
  set_target_properties(${name} PROPERTIES IMPORTED_LOCATION ${library} INTERFACE_INCLUDE_DIRECTORIES ${folder})
  add_dependencies(${name} ${name}-model)
endfunction()
