@file:Suppress("UNUSED_PARAMETER")

package androidx.activity

import android.app.Activity

// What of androidx.activity the sample uses.

open class ComponentActivity : Activity() {
    fun <I, O> registerForActivityResult(
        contract: androidx.activity.result.contract.ActivityResultContract<I, O>,
        callback: androidx.activity.result.ActivityResultCallback<O>,
    ): androidx.activity.result.ActivityResultLauncher<I> = TODO()
}
