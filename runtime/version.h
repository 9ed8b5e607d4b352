// The version of vaec that this runtime belongs to, such as "0.2.0". libvaert.so passes it to vaec.
#pragma once

extern "C" const char* vaert_version(void);
